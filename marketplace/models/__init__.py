"""Listings, prices, orders and the ledger."""

from marketplace.models.ledger import LedgerEntry, LedgerTransaction
from marketplace.models.listing import Listing, Price
from marketplace.models.order import Order

__all__ = ["LedgerEntry", "LedgerTransaction", "Listing", "Order", "Price"]
