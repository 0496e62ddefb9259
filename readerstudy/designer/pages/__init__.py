"""The pages of the designer: views, their forms and addresses."""
