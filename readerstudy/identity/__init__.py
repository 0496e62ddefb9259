"""Who signs in, and how: passwords, second factors and single sign-on by django-allauth."""
