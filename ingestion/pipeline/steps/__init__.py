"""The pipeline's steps. Each runs alone in a child process and never imports Django."""
