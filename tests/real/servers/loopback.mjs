// Preloaded into a server that would listen on every address of the machine: it listens on loopback instead.
import net from 'node:net';

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...given) {
    const done = given.findLast(each => typeof each === 'function');
    const port = typeof given[0] === 'object' ? given[0].port : given[0];
    return listen.call(this, { port: Number(port), host: '127.0.0.1' }, done);
};
