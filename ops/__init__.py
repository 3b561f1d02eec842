"""Commands, embedded servers, the operator's desk, and what measures and breaks the product."""
