"""Small programs that call Customer.io as their users' programs do, in other languages: they know of no fake."""
