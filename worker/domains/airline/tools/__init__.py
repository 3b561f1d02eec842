"""The tools that read and change the airline's bookings."""
