"""Messages between processes, one file for each kind.

Every model is frozen, carries a version and has a limit on every size. The exported JSON Schema stands in
`schema/json/`.
"""
