"""The study desk: pages on which coordinators and researchers run studies. No page here tells truth or verdicts."""
