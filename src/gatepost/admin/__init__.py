"""Every operator verb once, under the CLI and under whatever face comes later."""
