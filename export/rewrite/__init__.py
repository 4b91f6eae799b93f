"""Room of floor 2: a model becomes an equal one that phones run well.

Reading order: graph_stats, torch_layers -> rewrite -> fused_kan, pillow_resize, separable_mean, batch_norm -> mbconv ->
tiling_plan, liveness -> graph_options, tiled_net -> export_ready -> fold_batch_norm.
"""
