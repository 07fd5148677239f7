"""The atlas of errors: for every operation and every error that it documents, how a client gets it.

In reading order: recipe (what is told), door (who is let in), ground (an API in a new world, and requests that it grants),
parameters and bodies (how these are broken), reasons (reason of a refusal -> ways to it), derivation (all of it), script (a
recipe as lines of curl), trial (a recipe followed over HTTP).
"""

from mock_server.atlas.derivation import recipes
from mock_server.atlas.recipe import Recipe, Request

__all__ = ["Recipe", "Request", "recipes"]
