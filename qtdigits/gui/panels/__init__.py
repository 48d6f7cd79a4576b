"""The tabs of the window. None of these rooms knows another one."""
