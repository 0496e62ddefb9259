"""Import of images in the browser: sent or on the server, checked without storing anything, then imported."""
