"""Tests of mock_server, one file a module."""
