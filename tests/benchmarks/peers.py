"""One peer classifier, asked from another process: standard library and the peer only, run by the peer's own Python.

python peers.py NAME PHOTO      then a line per request on standard input; answers are lines of JSON
"""

import json
import sys
import time


def load(name):
    """-> a function from the photo's path to the labels found; decoding included."""
    import cv2

    if name == "facex":
        import facex

        pool = facex.PoolManager(pool_size=1)
        return lambda path: [max(found["emot"], key=found["emot"].get) for found in pool.predict(cv2.imread(path))]
    from fer.fer import FER

    detector = FER()
    return lambda path: [
        max(found["emotions"], key=found["emotions"].get) for found in detector.detect_emotions(cv2.imread(path))
    ]


def main():
    name, path = sys.argv[1:]
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries print; the answers are ours alone
    recognise = load(name)
    for line in sys.stdin:
        times, labels = [], []
        for _ in range(int(line)):
            began = time.perf_counter()
            labels = recognise(path)
            times.append(time.perf_counter() - began)
        answers.write(json.dumps({"seconds": times, "labels": labels}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
