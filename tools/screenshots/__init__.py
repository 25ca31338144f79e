"""Pictures of every page, made from the example data: `make screenshots`."""
