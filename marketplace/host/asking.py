"""What the server and the application agree on before a large body is received."""

ASKING = "commonhold.asking"
"""In the environment of a request whose body has not been received: is it taken?"""
