"""Makes the thumbnail of one picture."""

import io
import os
import time
from urllib.parse import unquote_plus

import boto3
from PIL import Image, ImageOps

SIZE = (240, 240)  # pixels, at most

s3 = boto3.client("s3")


def make_thumbnail(record):
    """Put the thumbnail of one record under the same key, and return it."""
    bucket = record["s3"]["bucket"]["name"]
    key = unquote_plus(record["s3"]["object"]["key"])
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    image = Image.open(io.BytesIO(content))
    image = ImageOps.exif_transpose(image)  # upright, as the phone was held
    image.thumbnail(SIZE)
    file = io.BytesIO()
    image.save(file, "JPEG")
    moderate(file.getvalue())
    made = {"Body": file.getvalue(), "ContentType": "image/jpeg"}
    s3.put_object(Bucket=os.environ["THUMBNAILS"], Key=key, **made)
    return key


def moderate(picture):
    """Wait as long as a call to a service that looks at the picture."""
    time.sleep(float(os.environ.get("SERVICE_S", "0")))
