"""BLIND. The API that readers use.

Nothing here or below may import a module that knows the truth; the import contract "blind" checks it.
`steps` builds what a reader may see as plain values, `serializers` is the form of requests and responses
and their documentation, `views` answers requests.
"""
