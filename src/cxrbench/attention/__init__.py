"""Where the best networks look: Grad-CAM of hits and misses, as the share of attention inside the lungs."""
