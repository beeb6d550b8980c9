"""Work done later, exactly once: a table of jobs, a worker, a timetable."""
