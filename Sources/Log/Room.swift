enum LogRoom {}
