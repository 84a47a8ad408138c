"""What is built from source: options by version, scripts, and what came out, judged. All pure."""
