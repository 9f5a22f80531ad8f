"""Small programs that call Customer.io as its users' programs do, in other languages: nothing in them knows of a fake."""
