"""The node agent: brings its node to the plan, watches what it started, and reports what it sees.

It owes the control plane the truth and the workloads their life: it may be killed and started again at
any moment, and the control plane may be away, without a workload or a report being lost.
"""
