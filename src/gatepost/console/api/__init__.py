"""The API: FastAPI routers over `admin`."""
