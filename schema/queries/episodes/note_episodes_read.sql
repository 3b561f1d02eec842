-- Note up to when committed turns are taken up. Takes read_to.
UPDATE deployment SET episodes_read_to = %(read_to)s
