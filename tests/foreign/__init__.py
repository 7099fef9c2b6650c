"""
A second opinion: a server for the Payment Records API written from the API reference alone.

Nothing here imports the product, so a misreading of the API in the product's client and in its own sandbox cannot hide.
"""
