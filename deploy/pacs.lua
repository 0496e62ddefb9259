-- A client with the password may read images and nothing else.
function IncomingHttpRequestFilter(method, uri, ip, username, httpHeaders)
  return method == "GET"
end
