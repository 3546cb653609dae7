"""How a site and a hub are, for Prometheus: read from the store when somebody asks, so that any number of processes on
any number of hosts give one answer. No label ever holds a number, name or code, or a result that is one person's.
"""
