"""How large a study must be: power by formula and by simulation, kept in its plan."""
