"""Trains LightGBM on the columns that the bench wrote, on one thread, and writes its predictions beside them."""
import json
import sys
import time

import lightgbm
import numpy as np

folder = sys.argv[1]
with open(f"{folder}/settings.json") as file:
    settings = json.load(file)


def read(name, columns):
    return np.fromfile(f"{folder}/{name}.f64").reshape(columns, -1).T if columns > 1 else np.fromfile(f"{folder}/{name}.f64")


train_x, train_y = read("train_x", settings["features"]), read("train_y", 1)
test_x = np.ascontiguousarray(read("test_x", settings["features"]))
train_x = np.ascontiguousarray(train_x)
began = time.process_time()
data = lightgbm.Dataset(
    train_x,
    train_y,
    categorical_feature=settings["categorical"],
    params={"max_bin": settings["max_bin"], "verbose": -1, "num_threads": 1},
)
model = lightgbm.train(settings["parameters"], data, settings["rounds"])
seconds = time.process_time() - began
model.predict(test_x, num_threads=1).astype(np.float64).tofile(f"{folder}/predicted.f64")
print(json.dumps({"seconds": seconds, "version": lightgbm.__version__}))
