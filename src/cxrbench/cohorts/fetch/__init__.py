"""Files from the network and out of archives: whole and checked, or refused in one sentence."""
