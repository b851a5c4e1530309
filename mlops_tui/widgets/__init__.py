"""What is drawn. Widgets get cells and tell of keys; they hold no client and know no wire object."""
