"""What machines do to a recording: its face is `jobs`. Empty, because steps know no Django."""
