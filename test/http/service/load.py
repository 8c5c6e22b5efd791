#!/usr/bin/python3
import client
