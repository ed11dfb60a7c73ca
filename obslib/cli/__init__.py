"""The two commands: ``obslib`` for those who build a component, ``platform`` for those who run or use one."""
