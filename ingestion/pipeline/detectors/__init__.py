"""What finds personal data in a text. Each detector sits behind one small protocol."""
