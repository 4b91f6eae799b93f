"""Floor 1: what the model is, and how it learns. Imports nothing from the floors above.

Reading order: photo, photo_files -> preprocess -> kan -> heads -> model -> checkpoint -> import_authors, and
demo_checkpoint for want of trained weights. How it learns: accuracy, losses, color -> datasets -> train_config, stages,
task, train -> tables; on generated data: scenes -> scattering -> branch_training, branch_processes -> kept_features,
head_training -> demo_contents, demo_backbones, demo_heads -> demo_training.
"""
