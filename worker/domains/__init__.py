"""The businesses the product works for; the pipeline knows none of them."""
