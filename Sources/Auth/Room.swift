enum AuthRoom {}
