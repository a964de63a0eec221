"""What turns sound into text. Each engine sits behind one small protocol."""
