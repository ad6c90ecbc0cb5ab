"""From a finished span to disk and to the collector: the only wire and sockets, without the SDK."""
