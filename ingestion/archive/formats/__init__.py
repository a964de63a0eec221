"""What files say of themselves in their first bytes. Knows no Django."""
