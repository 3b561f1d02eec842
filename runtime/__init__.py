"""What any process needs: settings, connections, sealing, loops, logs and traces."""
