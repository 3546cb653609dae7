-- The store of a site that ran release 0.1.0: three screenings, one of them with messages on their way.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE caller (
	id INTEGER NOT NULL, 
	msisdn TEXT NOT NULL, 
	language TEXT, 
	wrong_codes INTEGER DEFAULT '0' NOT NULL, 
	locked_until BIGINT, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_caller PRIMARY KEY (id), 
	CONSTRAINT uq_caller_msisdn UNIQUE (msisdn)
);
INSERT INTO "caller" VALUES(1,'+254711000001','en',0,NULL,1795671977105);
INSERT INTO "caller" VALUES(2,'+254722000002','luo',0,NULL,1795672026681);
CREATE TABLE clip (
	id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	language TEXT NOT NULL, 
	text TEXT NOT NULL, 
	private BOOLEAN NOT NULL, 
	state TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_clip PRIMARY KEY (id), 
	CONSTRAINT uq_clip_key UNIQUE ("key")
);
INSERT INTO "clip" VALUES(1,'d66c7f36a0d3fd59bbaac53ad0f94aa3','sw','Tafadhali subiri kidogo.',0,'ready',1795671978402);
INSERT INTO "clip" VALUES(2,'a544204cfdb24a3fffcb78cee548d788','sw','Habari. Hii ni Jicho. Majibu ya uchunguzi wa macho yako yako tayari. Bonyeza tarakimu sita za nambari yako.',0,'ready',1795671978424);
INSERT INTO "clip" VALUES(3,'849cbad5c113f607089e4f47f24fb97b','sw','Ungependa kusikia tena?',0,'ready',1795671978425);
INSERT INTO "clip" VALUES(4,'b9e6276b3c0efb8b510d3f770fec024e','sw','Nambari ina tarakimu sita. Tafadhali ihakikishe na ujaribu tena.',0,'ready',1795671978426);
INSERT INTO "clip" VALUES(5,'400e1528da10da5c920d3c7100bc9fa7','sw','Hakuna uchunguzi wenye nambari hii.',0,'ready',1795671978427);
INSERT INTO "clip" VALUES(6,'c290eb8aa77e11fbe22be9cb968be4d6','sw','Tafadhali muulize mhudumu wa afya nambari sahihi, kisha jaribu tena.',0,'ready',1795671978427);
CREATE TABLE consent (
	id INTEGER NOT NULL, 
	screening_id INTEGER NOT NULL, 
	version TEXT NOT NULL, 
	language TEXT NOT NULL, 
	msisdn TEXT, 
	channel TEXT NOT NULL, 
	given_at BIGINT NOT NULL, 
	withdrawn_at BIGINT, 
	CONSTRAINT pk_consent PRIMARY KEY (id), 
	CONSTRAINT fk_consent_screening_id FOREIGN KEY(screening_id) REFERENCES screening (id)
);
INSERT INTO "consent" VALUES(1,1,'2026-11','luo','+254722000002','ussd',1795671978930,NULL);
INSERT INTO "consent" VALUES(2,2,'2026-11','sw','+254733000003','ussd',1795671983363,NULL);
INSERT INTO "consent" VALUES(3,3,'2026-11','sw','+254733000003','ussd',1795672027110,NULL);
CREATE TABLE conversation (
	id INTEGER NOT NULL, 
	msisdn TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	flow TEXT NOT NULL, 
	caller JSON NOT NULL, 
	journal JSON NOT NULL, 
	language TEXT, 
	ussd_text TEXT DEFAULT '' NOT NULL, 
	last_answer TEXT DEFAULT '' NOT NULL, 
	counter INTEGER DEFAULT '0' NOT NULL, 
	state TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_conversation PRIMARY KEY (id)
);
INSERT INTO "conversation" VALUES(1,'+254711000001','ussd','ATUid_772f34ad63d86a22b8999f65de00351d','menu','{"caller": {"msisdn": "+254711000001", "channel": "ussd", "worker": true, "name": "Achieng", "language": "en"}, "arguments": {}}','[["answer", "ask-worker-menu", "open"], ["answer", "ask-sex", "female"], ["answer", "ask-birth-year", 1961], ["answer", "ask-patient-phone", "+254722000002"], ["answer", "ask-patient-language", "luo"], ["answer", "ask-consent", true], ["effect", "open_screening", {"code": "929803"}, false]]','en','1*1*1961*0722000002*2*98*1','END Code: 929803. Write it down for the patient. Send a photo of each eye by WhatsApp or MMS with the code and the eye, like: 929803 left',0,'ended',1795671978365,1795671978931);
INSERT INTO "conversation" VALUES(2,'+254711000001','sms','71c648a332824cd0bb98e878d5dd38c8','photograph','{"caller": {"msisdn": "+254711000001", "channel": "sms", "worker": true, "name": "Achieng", "language": "en"}, "arguments": {"photos": [[1, "929803", "left"]]}}','[["effect", "attach_photo", {"state": "queued"}, false]]','en','','Received: 929803, left eye. The result follows.',0,'ended',1795671981711,1795671981711);
INSERT INTO "conversation" VALUES(3,'+254711000001','whatsapp','wamid.4bdde449b474dce6980c8b036d10c925','photograph','{"caller": {"msisdn": "+254711000001", "channel": "whatsapp", "worker": true, "name": "Achieng", "language": "en"}, "arguments": {"photos": [[2, "929803", "right"]]}}','[["effect", "attach_photo", {"state": "queued"}, false]]','en','','Received: 929803, right eye. The result follows.',0,'ended',1795671983082,1795671983082);
INSERT INTO "conversation" VALUES(4,'+254711000001','ussd','ATUid_a00eca732ea2310f7e6edc11160c2286','menu','{"caller": {"msisdn": "+254711000001", "channel": "ussd", "worker": true, "name": "Achieng", "language": "en"}, "arguments": {}}','[["answer", "ask-worker-menu", "open"], ["answer", "ask-sex", "female"], ["answer", "ask-birth-year", 1954], ["answer", "ask-patient-phone", "+254733000003"], ["answer", "ask-patient-language", "sw"], ["answer", "ask-consent", true], ["effect", "open_screening", {"code": "923189"}, false]]','en','1*1*1954*0733000003*1*98*1','END Code: 923189. Write it down for the patient. Send a photo of each eye by WhatsApp or MMS with the code and the eye, like: 923189 left',0,'ended',1795671983134,1795671983363);
INSERT INTO "conversation" VALUES(5,'+254711000001','sms','5a6e24a397c34e2db13bed38419e7c0b','photograph','{"caller": {"msisdn": "+254711000001", "channel": "sms", "worker": true, "name": "Achieng", "language": "en"}, "arguments": {"photos": [[3, "923189", "left"]]}}','[["effect", "attach_photo", {"state": "queued"}, false]]','en','','Received: 923189, left eye. The result follows.',0,'ended',1795671984915,1795671984915);
INSERT INTO "conversation" VALUES(6,'+254711000001','sms','eb45332b10d54c86b237f78bf108af5d','photograph','{"caller": {"msisdn": "+254711000001", "channel": "sms", "worker": true, "name": "Achieng", "language": "en"}, "arguments": {"photos": [[4, "923189", "right"]]}}','[["effect", "attach_photo", {"state": "queued"}, false]]','en','','Received: 923189, right eye. The result follows.',0,'ended',1795671986542,1795671986542);
INSERT INTO "conversation" VALUES(7,'+254722000002','ussd','ATUid_5376b72fe3b8baa8b273a7089036cb8b','menu','{"caller": {"msisdn": "+254722000002", "channel": "ussd", "worker": false, "name": "", "language": null}, "arguments": {}}','[["answer", "ask-language", "luo"], ["effect", "set_language", {}, true]]','luo','2*929803','CON Kiyie duok gi namba chakre 1 nyaka 4.
Jicho: pimo wenge
1. Duoko gi namba
2. Luonga
3. Dhok
4. Wach Jicho
0 Dok 00 Chakruok',0,'active',1795672026629,1795672026747);
INSERT INTO "conversation" VALUES(8,'+254711000001','ussd','ATUid_9ead61ef458c1571f538f971a0223c89','menu','{"caller": {"msisdn": "+254711000001", "channel": "ussd", "worker": true, "name": "Achieng", "language": "en"}, "arguments": {}}','[["answer", "ask-worker-menu", "open"], ["answer", "ask-sex", "female"], ["answer", "ask-birth-year", 1954], ["answer", "ask-patient-phone", "+254733000003"], ["answer", "ask-patient-language", "sw"], ["answer", "ask-consent", true], ["effect", "open_screening", {"code": "351154"}, false]]','en','1*1*1954*0733000003*1*98*1','END Code: 351154. Write it down for the patient. Send a photo of each eye by WhatsApp or MMS with the code and the eye, like: 351154 left',0,'ended',1795672026881,1795672027110);
INSERT INTO "conversation" VALUES(9,'+254711000001','sms','b6742b073c7145dab74aa9d67648c7fd','photograph','{"caller": {"msisdn": "+254711000001", "channel": "sms", "worker": true, "name": "Achieng", "language": "en"}, "arguments": {"photos": [[5, "351154", "left"]]}}','[["effect", "attach_photo", {"state": "queued"}, false]]','en','','Received: 351154, left eye. The result follows.',0,'ended',1795672030781,1795672030781);
CREATE TABLE inbound (
	id INTEGER NOT NULL, 
	carrier TEXT NOT NULL, 
	provider_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	sender TEXT NOT NULL, 
	recipient TEXT NOT NULL, 
	text TEXT NOT NULL, 
	received_at BIGINT NOT NULL, 
	CONSTRAINT pk_inbound PRIMARY KEY (id), 
	CONSTRAINT uq_inbound_carrier_provider_id UNIQUE (carrier, provider_id)
);
INSERT INTO "inbound" VALUES(1,'mm7','71c648a332824cd0bb98e878d5dd38c8','mms','+254711000001','38477','929803 left',1795671981665);
INSERT INTO "inbound" VALUES(2,'whatsapp','wamid.4bdde449b474dce6980c8b036d10c925','whatsapp','+254711000001','254711082001','929803 right',1795671983069);
INSERT INTO "inbound" VALUES(3,'mm7','5a6e24a397c34e2db13bed38419e7c0b','mms','+254711000001','38477','923189 left',1795671984912);
INSERT INTO "inbound" VALUES(4,'mm7','eb45332b10d54c86b237f78bf108af5d','mms','+254711000001','38477','923189 right',1795671986539);
INSERT INTO "inbound" VALUES(5,'mm7','b6742b073c7145dab74aa9d67648c7fd','mms','+254711000001','38477','351154 left',1795672030770);
CREATE TABLE message (
	id INTEGER NOT NULL, 
	dedupe_key TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	recipient TEXT NOT NULL, 
	purpose TEXT NOT NULL, 
	language TEXT NOT NULL, 
	text TEXT NOT NULL, 
	buttons JSON NOT NULL, 
	screening_id INTEGER, 
	state TEXT NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	parts INTEGER DEFAULT '0' NOT NULL, 
	carrier TEXT, 
	provider_id TEXT, 
	cost TEXT DEFAULT '' NOT NULL, 
	reason TEXT DEFAULT '' NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	sent_at BIGINT, 
	settled_at BIGINT, 
	CONSTRAINT pk_message PRIMARY KEY (id), 
	CONSTRAINT fk_message_screening_id FOREIGN KEY(screening_id) REFERENCES screening (id), 
	CONSTRAINT uq_message_dedupe_key UNIQUE (dedupe_key)
);
INSERT INTO "message" VALUES(1,'reply:1:0','sms','+254711000001','reply','en','Received: 929803, left eye. The result follows.','[]',NULL,'delivered',1,1,'africastalking-sms','ATXid_73ee4b25b716f77d6e4d6c9183a2dfba','KES 0.8000','',1795671981712,1795758381712,1795671981881,1795671982553);
INSERT INTO "message" VALUES(2,'read:1:sms','sms','+254711000001','result-worker','en','929803 left eye: REFER. The machine sees signs of referable retinopathy. Send the patient to the eye clinic. Screening, not a diagnosis.','[]',1,'delivered',1,1,'africastalking-sms','ATXid_e26172440531435e187bda0d73b443ab','KES 0.8000','',1795671982222,1795931182222,1795671982353,1795671982687);
INSERT INTO "message" VALUES(3,'patient:1:refer:sms','sms','+254722000002','result','luo','Duoko mar pimo wengeni e Jicho oseikore. Wabiro luongi. Mondo isome kata iwinje, luong *384*77# ka in gi nambani. Duok STOP mondo wawe.','[]',1,'delivered',1,1,'africastalking-sms','ATXid_976992301686eeac46e7fbce9aca09d9','KES 0.8000','',1795671982231,1795931182231,1795671982440,1795671982787);
INSERT INTO "message" VALUES(4,'patient:1:refer:call','voice','+254722000002','result','luo','','[]',1,'sent',1,0,'africastalking-voice','ATVId_7515d87a7387d2c1f67aa4995709820a','','Queued',1795671982252,1795758382252,1795672014249,NULL);
INSERT INTO "message" VALUES(5,'reply:2:0','whatsapp','+254711000001','reply','en','Received: 929803, right eye. The result follows.','[]',NULL,'delivered',1,1,'whatsapp','wamid.cd47aab1ca3e9ebebb5766a6c1dcfcdd','','',1795671983083,1795758383083,1795671983680,1795671984333);
INSERT INTO "message" VALUES(6,'read:2:sms','sms','+254711000001','result-worker','en','929803 right eye: no referable signs, but the left eye has to be REFERRED. Send the patient to the eye clinic.','[]',1,'delivered',1,1,'africastalking-sms','ATXid_cfe63646b98e87b80dc69bf491ca070b','KES 0.8000','',1795671983849,1795931183849,1795671983928,1795671984256);
INSERT INTO "message" VALUES(7,'read:2:whatsapp','whatsapp','+254711000001','result-worker','en','929803 right eye: no referable signs, but the left eye has to be REFERRED. Send the patient to the eye clinic.','[]',1,'delivered',1,1,'whatsapp','wamid.3c423b59821228dfd59f660b72cd11bd','','',1795671983850,1795931183850,1795671984011,1795671984647);
INSERT INTO "message" VALUES(8,'reply:3:0','sms','+254711000001','reply','en','Received: 923189, left eye. The result follows.','[]',NULL,'delivered',1,1,'africastalking-sms','ATXid_79dfee5828fcb11748dc220f7180333a','KES 0.8000','',1795671984924,1795758384924,1795671985036,1795671985362);
INSERT INTO "message" VALUES(9,'read:3:sms','sms','+254711000001','result-worker','en','923189 left eye: no referable signs. Now send the right eye.','[]',2,'delivered',1,1,'africastalking-sms','ATXid_fdce87bbd77a9d516e7eea8dc66c8670','KES 0.8000','',1795671985234,1795931185234,1795671985332,1795671985685);
INSERT INTO "message" VALUES(10,'reply:4:0','sms','+254711000001','reply','en','Received: 923189, right eye. The result follows.','[]',NULL,'delivered',1,1,'africastalking-sms','ATXid_4f1f17a9321cfa80157e6ce896c50d54','KES 0.8000','',1795671986542,1795758386542,1795671986700,1795671987123);
INSERT INTO "message" VALUES(11,'read:4:sms','sms','+254711000001','result-worker','en','923189 right eye: no referable signs. Both eyes are done: check again in 12 months.','[]',2,'delivered',1,1,'africastalking-sms','ATXid_01b2a58fc231f1d807fcf61912adb7ba','KES 0.8000','',1795671987001,1795931187001,1795671987176,1795671987533);
INSERT INTO "message" VALUES(12,'patient:2:rescreen:sms','sms','+254733000003','result','sw','Majibu ya uchunguzi wa macho, Jicho, yako tayari. Tutakupigia simu. Ili kuyasoma au kuyasikia, piga *384*77# ukiwa na nambari yako. Jibu STOP kusitisha.','[]',2,'delivered',1,1,'africastalking-sms','ATXid_15bd258e2e8ec4aac580b35f38810514','KES 0.8000','',1795671987021,1795931187021,1795671987273,1795671987603);
INSERT INTO "message" VALUES(13,'patient:2:rescreen:call','voice','+254733000003','result','sw','','[]',2,'pending',0,0,NULL,NULL,'','',1795671987033,1795758387033,NULL,NULL);
INSERT INTO "message" VALUES(14,'reply:5:0','sms','+254711000001','reply','en','Received: 351154, left eye. The result follows.','[]',NULL,'pending',0,0,NULL,NULL,'','',1795672030782,1795758430782,NULL,NULL);
INSERT INTO "message" VALUES(15,'read:5:sms','sms','+254711000001','result-worker','en','351154 left eye: REFER. The machine sees signs of referable retinopathy. Send the patient to the eye clinic. Screening, not a diagnosis.','[]',3,'pending',0,0,NULL,NULL,'','',1795672031126,1795931231126,NULL,NULL);
INSERT INTO "message" VALUES(16,'patient:3:refer:sms','sms','+254733000003','result','sw','Majibu ya uchunguzi wa macho, Jicho, yako tayari. Tutakupigia simu. Ili kuyasoma au kuyasikia, piga *384*77# ukiwa na nambari yako. Jibu STOP kusitisha.','[]',3,'pending',0,0,NULL,NULL,'','',1795672031131,1795931231131,NULL,NULL);
INSERT INTO "message" VALUES(17,'patient:3:refer:call','voice','+254733000003','result','sw','','[]',3,'pending',0,0,NULL,NULL,'','',1795672031132,1795758431132,NULL,NULL);
CREATE TABLE opt_out (
	id INTEGER NOT NULL, 
	msisdn TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_opt_out PRIMARY KEY (id), 
	CONSTRAINT uq_opt_out_msisdn_kind UNIQUE (msisdn, kind)
);
CREATE TABLE outbox (
	id INTEGER NOT NULL, 
	dedupe_key TEXT NOT NULL, 
	queue TEXT NOT NULL, 
	task TEXT NOT NULL, 
	argument JSON NOT NULL, 
	state TEXT NOT NULL, 
	round INTEGER DEFAULT '0' NOT NULL, 
	error TEXT DEFAULT '' NOT NULL, 
	not_before BIGINT NOT NULL, 
	created_at BIGINT NOT NULL, 
	dispatched_at BIGINT, 
	CONSTRAINT pk_outbox PRIMARY KEY (id), 
	CONSTRAINT uq_outbox_dedupe_key UNIQUE (dedupe_key)
);
INSERT INTO "outbox" VALUES(1,'clip:d66c7f36a0d3fd59bbaac53ad0f94aa3:5985573','speech','render_clip','{"key": "d66c7f36a0d3fd59bbaac53ad0f94aa3"}','done',0,'',0,1795671978408,1795671978892);
INSERT INTO "outbox" VALUES(2,'clip:a544204cfdb24a3fffcb78cee548d788:5985573','speech','render_clip','{"key": "a544204cfdb24a3fffcb78cee548d788"}','done',0,'',0,1795671978425,1795671978892);
INSERT INTO "outbox" VALUES(3,'clip:849cbad5c113f607089e4f47f24fb97b:5985573','speech','render_clip','{"key": "849cbad5c113f607089e4f47f24fb97b"}','dispatched',0,'',0,1795671978426,1795671978892);
INSERT INTO "outbox" VALUES(4,'clip:b9e6276b3c0efb8b510d3f770fec024e:5985573','speech','render_clip','{"key": "b9e6276b3c0efb8b510d3f770fec024e"}','dispatched',0,'',0,1795671978426,1795671978892);
INSERT INTO "outbox" VALUES(5,'clip:400e1528da10da5c920d3c7100bc9fa7:5985573','speech','render_clip','{"key": "400e1528da10da5c920d3c7100bc9fa7"}','dispatched',0,'',0,1795671978427,1795671978892);
INSERT INTO "outbox" VALUES(6,'clip:c290eb8aa77e11fbe22be9cb968be4d6:5985573','speech','render_clip','{"key": "c290eb8aa77e11fbe22be9cb968be4d6"}','dispatched',0,'',0,1795671978428,1795671978892);
INSERT INTO "outbox" VALUES(43,'read:1','inference','read_photo','{"photo_id": 1}','done',0,'',0,1795671981694,1795671981760);
INSERT INTO "outbox" VALUES(44,'send:1:0','delivery','send_message','{"message_id": 1}','done',0,'',0,1795671981714,1795671981760);
INSERT INTO "outbox" VALUES(45,'send:2:0','delivery','send_message','{"message_id": 2}','done',0,'',0,1795671982227,1795671982328);
INSERT INTO "outbox" VALUES(46,'send:3:0','delivery','send_message','{"message_id": 3}','done',0,'',0,1795671982252,1795671982328);
INSERT INTO "outbox" VALUES(47,'prepare:4','speech','prepare_call','{"message_id": 4}','done',0,'',0,1795671982253,1795671982328);
INSERT INTO "outbox" VALUES(48,'fetch:2','delivery','fetch_photo','{"photo_id": 2}','done',0,'',0,1795671983082,1795671983157);
INSERT INTO "outbox" VALUES(49,'send:5:0','delivery','send_message','{"message_id": 5}','done',0,'',0,1795671983083,1795671983157);
INSERT INTO "outbox" VALUES(50,'read:2','inference','read_photo','{"photo_id": 2}','done',0,'',0,1795671983589,1795671983648);
INSERT INTO "outbox" VALUES(51,'send:6:0','delivery','send_message','{"message_id": 6}','done',0,'',0,1795671983850,1795671983908);
INSERT INTO "outbox" VALUES(52,'send:7:0','delivery','send_message','{"message_id": 7}','done',0,'',0,1795671983850,1795671983908);
INSERT INTO "outbox" VALUES(53,'read:3','inference','read_photo','{"photo_id": 3}','done',0,'',0,1795671984915,1795671985005);
INSERT INTO "outbox" VALUES(54,'send:8:0','delivery','send_message','{"message_id": 8}','done',0,'',0,1795671984924,1795671985005);
INSERT INTO "outbox" VALUES(55,'send:9:0','delivery','send_message','{"message_id": 9}','done',0,'',0,1795671985234,1795671985317);
INSERT INTO "outbox" VALUES(56,'read:4','inference','read_photo','{"photo_id": 4}','done',0,'',0,1795671986542,1795671986672);
INSERT INTO "outbox" VALUES(57,'send:10:0','delivery','send_message','{"message_id": 10}','done',0,'',0,1795671986543,1795671986672);
INSERT INTO "outbox" VALUES(58,'send:11:0','delivery','send_message','{"message_id": 11}','done',0,'',0,1795671987001,1795671987162);
INSERT INTO "outbox" VALUES(59,'send:12:0','delivery','send_message','{"message_id": 12}','done',0,'',0,1795671987032,1795671987162);
INSERT INTO "outbox" VALUES(60,'prepare:13','speech','prepare_call','{"message_id": 13}','dispatched',0,'',0,1795671987033,1795671987162);
INSERT INTO "outbox" VALUES(61,'send:4:0','delivery','send_message','{"message_id": 4}','done',0,'',0,1795672014196,1795672014231);
INSERT INTO "outbox" VALUES(62,'read:5','inference','read_photo','{"photo_id": 5}','done',0,'',0,1795672030781,1795672030904);
INSERT INTO "outbox" VALUES(63,'send:14:0','delivery','send_message','{"message_id": 14}','dispatched',0,'',0,1795672030783,1795672030904);
INSERT INTO "outbox" VALUES(64,'send:15:0','delivery','send_message','{"message_id": 15}','dispatched',0,'',0,1795672031127,1795672031194);
INSERT INTO "outbox" VALUES(65,'send:16:0','delivery','send_message','{"message_id": 16}','dispatched',0,'',0,1795672031132,1795672031194);
INSERT INTO "outbox" VALUES(66,'prepare:17','speech','prepare_call','{"message_id": 17}','dispatched',0,'',0,1795672031132,1795672031194);
CREATE TABLE photo (
	id INTEGER NOT NULL, 
	inbound_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	sender TEXT NOT NULL, 
	mime_type TEXT NOT NULL, 
	locator TEXT NOT NULL, 
	expected_sha256 TEXT NOT NULL, 
	sha256 TEXT, 
	screening_id INTEGER, 
	eye TEXT, 
	state TEXT NOT NULL, 
	error TEXT, 
	received_at BIGINT NOT NULL, 
	CONSTRAINT pk_photo PRIMARY KEY (id), 
	CONSTRAINT fk_photo_inbound_id FOREIGN KEY(inbound_id) REFERENCES inbound (id), 
	CONSTRAINT fk_photo_screening_id FOREIGN KEY(screening_id) REFERENCES screening (id), 
	CONSTRAINT uq_photo_inbound_id_position UNIQUE (inbound_id, position)
);
INSERT INTO "photo" VALUES(1,1,0,'+254711000001','image/jpeg','','','c535361e896f879d28bd896d428f761a02ffc1e9288f0e31978dfe14be131979',1,'left','read',NULL,1795671981666);
INSERT INTO "photo" VALUES(2,2,0,'+254711000001','image/jpeg','media12ad537c92d63c48823b8bc711b2825f','GPSBxfztzNcS5oV+Yh30I5YjIPTY1kpHBSWHzo9MM9s=','18f481c5fcedccd712e6857e621df423962320f4d8d64a47052587ce8f4c33db',1,'right','read',NULL,1795671983069);
INSERT INTO "photo" VALUES(3,3,0,'+254711000001','image/jpeg','','','0288333590af5cfa5e1913e5d7c3366a0eee9848cb27a8fd6045eb20718872e5',2,'left','read',NULL,1795671984913);
INSERT INTO "photo" VALUES(4,4,0,'+254711000001','image/jpeg','','','db901bf6cf31a8938a85086271ea96b6e45beb35d7a87e45d4b8214fc3975790',2,'right','read',NULL,1795671986539);
INSERT INTO "photo" VALUES(5,5,0,'+254711000001','image/jpeg','','','dae7dd47c624c8f25b196583c7849f0cfddbb61ed0fb68f979db73714e380457',3,'left','read',NULL,1795672030770);
CREATE TABLE reading (
	id INTEGER NOT NULL, 
	photo_id INTEGER NOT NULL, 
	screening_id INTEGER NOT NULL, 
	eye TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	gradable BOOLEAN NOT NULL, 
	quality_score FLOAT NOT NULL, 
	quality_reasons JSON NOT NULL, 
	probability FLOAT, 
	tier TEXT NOT NULL, 
	tier_reason TEXT NOT NULL, 
	model_name TEXT NOT NULL, 
	model_version TEXT NOT NULL, 
	model_sha256 TEXT NOT NULL, 
	threshold FLOAT NOT NULL, 
	milliseconds JSON NOT NULL, 
	read_at BIGINT NOT NULL, 
	CONSTRAINT pk_reading PRIMARY KEY (id), 
	CONSTRAINT fk_reading_photo_id FOREIGN KEY(photo_id) REFERENCES photo (id), 
	CONSTRAINT fk_reading_screening_id FOREIGN KEY(screening_id) REFERENCES screening (id), 
	CONSTRAINT uq_reading_photo_id UNIQUE (photo_id)
);
INSERT INTO "reading" VALUES(1,1,1,'left','refer',1,9.95327244182036885433e-01,'[]',8.42348597697351375579e-01,'full','best','jicho-dr','0.0.2','3b9352a90c54943f7048537cca002b9e4329b076b82f01bc3418de2277134b4f',0.2881,'{"preprocess": 40.59, "quality": 37.37, "model": 66.64, "total": 144.6}',1795671982137);
INSERT INTO "reading" VALUES(2,2,1,'right','rescreen',1,9.98005190160566213464e-01,'[]',3.70990452251276393857e-03,'full','best','jicho-dr','0.0.2','3b9352a90c54943f7048537cca002b9e4329b076b82f01bc3418de2277134b4f',0.2881,'{"preprocess": 39.98, "quality": 44.96, "model": 61.11, "total": 146.04}',1795671983843);
INSERT INTO "reading" VALUES(3,3,2,'left','rescreen',1,9.98353466568361436195e-01,'[]',3.88853828267001063942e-03,'full','best','jicho-dr','0.0.2','3b9352a90c54943f7048537cca002b9e4329b076b82f01bc3418de2277134b4f',0.2881,'{"preprocess": 50.2, "quality": 44.21, "model": 67.67, "total": 162.08}',1795671985220);
INSERT INTO "reading" VALUES(4,4,2,'right','rescreen',1,9.97475175400219460364e-01,'[]',3.0222717747634231071e-03,'full','best','jicho-dr','0.0.2','3b9352a90c54943f7048537cca002b9e4329b076b82f01bc3418de2277134b4f',0.2881,'{"preprocess": 51.81, "quality": 44.91, "model": 55.19, "total": 151.92}',1795671986999);
INSERT INTO "reading" VALUES(5,5,3,'left','refer',1,9.93305093406605554839e-01,'[]',9.66261412629248139793e-01,'full','best','jicho-dr','0.0.2','3b9352a90c54943f7048537cca002b9e4329b076b82f01bc3418de2277134b4f',0.2881,'{"preprocess": 35.7, "quality": 77.19, "model": 56.2, "total": 169.08}',1795672031124);
CREATE TABLE screening (
	id INTEGER NOT NULL, 
	code TEXT NOT NULL, 
	programme TEXT NOT NULL, 
	worker_id INTEGER NOT NULL, 
	sex TEXT NOT NULL, 
	birth_year INTEGER NOT NULL, 
	patient_msisdn TEXT, 
	language TEXT NOT NULL, 
	state TEXT NOT NULL, 
	outcome TEXT, 
	opened_at BIGINT NOT NULL, 
	decided_at BIGINT, 
	CONSTRAINT pk_screening PRIMARY KEY (id), 
	CONSTRAINT fk_screening_worker_id FOREIGN KEY(worker_id) REFERENCES worker (id), 
	CONSTRAINT uq_screening_code UNIQUE (code)
);
INSERT INTO "screening" VALUES(1,'929803','dr',1,'female',1961,'+254722000002','luo','decided','refer',1795671978929,1795671982228);
INSERT INTO "screening" VALUES(2,'923189','dr',1,'female',1954,'+254733000003','sw','decided','rescreen',1795671983363,1795671987002);
INSERT INTO "screening" VALUES(3,'351154','dr',1,'female',1954,'+254733000003','sw','decided','refer',1795672027109,1795672031127);
CREATE TABLE worker (
	id INTEGER NOT NULL, 
	msisdn TEXT NOT NULL, 
	name TEXT NOT NULL, 
	active BOOLEAN DEFAULT 1 NOT NULL, 
	added_at BIGINT NOT NULL, 
	CONSTRAINT pk_worker PRIMARY KEY (id), 
	CONSTRAINT uq_worker_msisdn UNIQUE (msisdn)
);
INSERT INTO "worker" VALUES(1,'+254711000001','Achieng',1,1795671977076);
CREATE INDEX ix_conversation_msisdn_channel_id ON conversation (msisdn, channel, id);
CREATE INDEX ix_outbox_state_not_before ON outbox (state, not_before);
CREATE INDEX ix_screening_worker_id ON screening (worker_id);
CREATE INDEX ix_consent_screening_id ON consent (screening_id);
CREATE INDEX ix_message_provider_id ON message (provider_id);
CREATE INDEX ix_message_screening_id ON message (screening_id);
CREATE INDEX ix_photo_inbound_id ON photo (inbound_id);
CREATE INDEX ix_photo_screening_id ON photo (screening_id);
CREATE INDEX ix_reading_screening_id ON reading (screening_id);
COMMIT;
