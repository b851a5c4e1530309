"""What is said about wire objects: pure functions to cells, labels and tones, for the terminal and the command line."""
