"""Every plot of the window, on pyqtgraph: nothing else imports it."""
