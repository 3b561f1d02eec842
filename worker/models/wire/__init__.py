"""The wire format of providers: what they answer is checked and brought into one form before the SDK reads it."""
