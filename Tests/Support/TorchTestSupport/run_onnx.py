"""Checks a model of ONNX and runs it: run_onnx.py MODEL INPUTS.safetensors ...

Writes what each file of inputs gives to INPUTS.safetensors.out, tensors as safetensors.
"""
import json
import struct
import sys

import numpy
import onnx
import onnxruntime

TYPES = {"F32": "<f4", "I64": "<i8"}


def read(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    body = data[8 + size:]
    return {
        name: numpy.frombuffer(body[slice(*entry["data_offsets"])], TYPES[entry["dtype"]])
        .reshape(entry["shape"])
        for name, entry in json.loads(data[8:8 + size]).items() if name != "__metadata__"
    }


def write(path, tensors):
    header, body = {}, b""
    for name, tensor in tensors.items():
        content = tensor.astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": tensor.shape,
                        "data_offsets": [len(body), len(body) + len(content)]}
        body += content
    text = json.dumps(header).encode()
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + body)


model = sys.argv[1]
onnx.checker.check_model(model, full_check=True)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
names = [output.name for output in session.get_outputs()]
for path in sys.argv[2:]:
    write(path + ".out", dict(zip(names, session.run(names, read(path)))))
