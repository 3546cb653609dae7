// The npm package's own SMPP server, told what to do by lines of JSON on its standard input; it says on its standard
// output what reached it.
const fs = require('fs');
const smpp = require('smpp');

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const [port, key, certificate] = process.argv.slice(2);
let faults = []; // {status} refuses the next submit_sm, {silent: true} never answers it
let session = null;
let next = 1;
let deaf = false; // answers no enquire_link

function listen(options, accept) {
  const server = smpp.createServer(options, accept);
  server.listen(Number(port), '127.0.0.1', () => say({ event: 'listening' }));
}

function accept(found) {
  found.on('error', () => {});
  found.on('close', () => say({ event: 'closed' }));
  found.on('bind_transceiver', (pdu) => {
    const right = pdu.system_id === 'jicho' && pdu.password === 'secret';
    found.send(pdu.response({ command_status: right ? 0 : smpp.ESME_RBINDFAIL, system_id: 'SMSC' }));
    if (right) session = found;
    say({ event: 'bind', right, system_type: pdu.system_type });
  });
  found.on('enquire_link', (pdu) => {
    say({ event: 'enquire_link' });
    if (!deaf) found.send(pdu.response());
  });
  found.on('unbind', (pdu) => {
    found.send(pdu.response());
    found.close();
  });
  found.on('deliver_sm_resp', (pdu) => say({ event: 'deliver_sm_resp', status: pdu.command_status }));
  found.on('submit_sm', (pdu) => {
    const fault = faults.shift();
    const text = pdu.message_payload || pdu.short_message;
    const event = {
      event: 'submit_sm',
      to: pdu.destination_addr,
      from: pdu.source_addr,
      ton: [pdu.source_addr_ton, pdu.dest_addr_ton],
      text: text.message,
      udh: text.udh ? text.udh.map((element) => element.toString('hex')) : [],
      coding: pdu.data_coding,
      registered: pdu.registered_delivery,
      status: fault && fault.status ? fault.status : 0,
    };
    if (fault && fault.silent) return say(event);
    if (fault && fault.status) {
      found.send(pdu.response({ command_status: fault.status }));
      return say(event);
    }
    const id = (next++).toString(16).toUpperCase().padStart(8, '0');
    found.send(pdu.response({ message_id: id }));
    return say({ ...event, id });
  });
}

const commands = {
  fault: ({ faults: more }) => (faults = faults.concat(more)),
  deaf: ({ on }) => (deaf = on),
  drop: () => session.socket.destroy(),
  unbind: () => session.unbind(),
  deliver: ({ pdu, udh }) =>
    session.deliver_sm(
      udh ? { ...pdu, short_message: { udh: Buffer.from(udh, 'hex'), message: pdu.short_message } } : pdu,
    ),
  raw: ({ hex }) => session.socket.write(Buffer.from(hex, 'hex')),
};

let rest = '';
process.stdin.on('data', (data) => {
  const lines = (rest + data).split('\n');
  rest = lines.pop();
  lines.forEach((line) => {
    const told = JSON.parse(line);
    commands[told.do](told);
    say({ event: 'done', do: told.do });
  });
});
process.stdin.on('end', () => process.exit());

listen(key ? { key: fs.readFileSync(key), cert: fs.readFileSync(certificate), tls: true } : {}, accept);
