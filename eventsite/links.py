"""The links of the service's own pages."""

from eventsite.web.links import register_ways

register_ways("root", ways=[("API documentation", "docs"), ("Reference", "redoc")])
