"""The console: what people at a site see and do in a browser. Every page answers to an account, by `routes.ROUTES`."""
