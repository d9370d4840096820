"""Latency of rerankers under load: draw requests, send them at a rate, keep what happened, draw the report.

Reading order: workload → arrivals → load → raw → summary → page. Loads no torch; a reranker brings what it needs.
"""
