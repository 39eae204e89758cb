"""What papers print, and what follows from that alone, without any run of ours."""
