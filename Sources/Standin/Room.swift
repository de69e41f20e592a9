enum StandinRoom {}
