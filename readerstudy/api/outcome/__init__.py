"""What a study gave, from its closing on: readings as lists and files, results, bundles."""
